"""SHA-256 of the shipped weights; written by `training/ship.py`."""

DIGESTS = {
    "knowledge": "b01a3afd7a9188ff0f9a5953464b289bf41a9d974b2eccc0660000499d868a10",
    "fast": "5f782b1c5cdfe6ceaf55f82f058ee88fd905f73683547476d251c589d7634b8d",
}
