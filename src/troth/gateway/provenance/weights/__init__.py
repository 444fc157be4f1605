"""The networks of the watermark; see NOTICE for whose they are."""
