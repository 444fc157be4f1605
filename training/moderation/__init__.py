"""Training of the model that moderates text: `python -m training.moderation` (docs/how-to/train-the-model.md)."""

import os

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # as `troth` does: threads of small products cost more than they save
