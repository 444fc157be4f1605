"""Pages for people: server-rendered, without scripts where possible. They end in the same operations as the API."""
