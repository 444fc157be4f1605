"""Who may be sent what: records, the gate that reads them, and the adapters that speak to vendors."""
