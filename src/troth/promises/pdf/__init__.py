"""The promises on paper: PDF/A-2a, tagged, made by typst from data that never becomes markup."""
