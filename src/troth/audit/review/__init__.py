"""Who watches the administrators: ranges of a log are reviewed by people who did not act in them (promise AUD-02)."""
