"""The forgetting key tree: unit keys that can be destroyed in every copy at once, and what seals with them."""
