# SPDX-License-Identifier: MIT
"""Gap files -> image, in a sandbox; an unchanged image comes from the cache."""

from grader.build.image import build_image, ensure_core
from grader.build.model import BuildError, Image, Message, SubmissionError
from grader.build.program import build_program

__all__ = [
    "BuildError",
    "Image",
    "Message",
    "SubmissionError",
    "build_image",
    "build_program",
    "ensure_core",
]
