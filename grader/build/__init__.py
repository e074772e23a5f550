# SPDX-License-Identifier: MIT
"""Gap files -> image, in a sandbox; an unchanged image comes from the cache."""

from grader.build.image import build_image, ensure_core
from grader.build.model import BuildError, Image, Message, SubmissionError

__all__ = [
    "BuildError",
    "Image",
    "Message",
    "SubmissionError",
    "build_image",
    "ensure_core",
]
