"""The gate for uploads: the right type, a bounded size, nothing personal in the metadata, nothing hidden behind."""

from troth.gateway.intake.admitted import Admitted, Limits
from troth.gateway.intake.files import admit_file
from troth.gateway.intake.image import admit_image

__all__ = ["Admitted", "Limits", "admit_file", "admit_image"]
