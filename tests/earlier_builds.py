"""Code, packages and mapping files of earlier builds, taken from the history of this checkout."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUILD_BEFORE = "909a018636329e99cca1389b854f1931dda33eae"
"""The commit that resolved the issue before. Whoever resolves the next issue enters the last commit of this one."""
BEFORE_SOLUTIONS = "7cc53cbe16be167adfa04e5fac9e0b94574f3d68"
"""The last build whose package has no objects of solutions."""
FIRST_BUILD = "f9a8dde"
"""The earliest build whose package and mapping files this one must run on."""
FOR_MICROSOFT = (
    "Answer_By__c",
    "Customer_Consents__c",
    "Microsoft_Answer_By__c",
    "Microsoft_CRM_Identifier__c",
    "Microsoft_Notes__c",
    "Microsoft_Seller__c",
    "Microsoft_Status__c",
    "Notes_to_Microsoft__c",
    "Visible_to_Microsoft__c",
)
"""The columns of what Microsoft sees, is asked, and says."""
AMOUNTS = ("Partner_Center_Amount__c", "Partner_Center_Currency__c")
REASONS = ("Closing_Reason_Details__c", "Closing_Reason__c")
LACKS: dict[str, tuple[tuple[str, ...], str | None]] = {
    FIRST_BUILD: ((*sorted((*REASONS, *FOR_MICROSOFT, *AMOUNTS)), "Synced with differences"), None),
    BUILD_BEFORE: ((), "0.9.0"),
}
"""By build: what this app uses and the package of that build lacks, and the version of that package."""


def unpacked_build(commit: str, folder: Path, *paths: str) -> Path:
    """Put these files and folders of a commit into `folder` and return it. Skips the test where they are missing."""
    words = ["git", "-C", str(ROOT), "archive", commit, *paths]
    try:
        archived = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - fixed words
    except FileNotFoundError:
        pytest.skip(f"NOT RUN: git is not on PATH, so nothing was tried with the build {commit[:7]}")
    if archived.returncode:
        pytest.skip(
            f"NOT RUN: this checkout's history lacks {commit[:7]}, so nothing was tried with that build "
            "(git fetch --unshallow)"
        )
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
