"""What people must do and prove: registers from one form, what is due, and what lapses when nobody acted."""
