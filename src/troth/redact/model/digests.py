"""SHA-256 of the shipped weights; written by `training/ship.py`."""

DIGESTS = {
    "knowledge": "137248c71f848051768ecccf2bb1eb07c34684b25becc1a7eb18cb67b8f6d2ae",
    "fast": "59edb16b1452b04aa9b86ab654eaf79fc910a10b30690794a1e6fc9c7f37b0b6",
}
