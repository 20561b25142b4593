"""The types of settings for pydantic: each is a rule of `value_checks.py`, or a pattern, or limits of a number."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.settings.value_checks import (
    DAY,
    check_certificates,
    check_connection_string,
    check_file,
    check_https,
    check_link,
    check_new_file,
    check_origin,
    check_queue_name,
    check_resolved,
    check_schedule,
)

Text = Annotated[str, Field(min_length=1), AfterValidator(check_resolved)]
Https = Annotated[str, AfterValidator(check_https)]
Origin = Annotated[str, AfterValidator(check_origin)]
File = Annotated[Path, AfterValidator(check_file)]
Certificates = Annotated[File, AfterValidator(check_certificates)]
NewFile = Annotated[Path, AfterValidator(check_new_file)]
"""A file that exists or can be created."""
Link = Annotated[Text, AfterValidator(check_link)]
Connection = Annotated[Text, AfterValidator(check_connection_string)]
Queue = Annotated[str, AfterValidator(check_queue_name)]
Schedule = Annotated[str, AfterValidator(check_schedule)]
Guid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Seconds = Annotated[float, Field(ge=0, le=DAY, allow_inf_nan=False)]
PositiveSeconds = Annotated[Seconds, Field(gt=0)]
