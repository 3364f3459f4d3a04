"""The control plane of the process that answers."""

from fastapi import Request

from streams.control import Control
from streams.control.errors import ControlError


def control_of(request: Request) -> Control:
    """Return it. Raises ControlError where the process has none."""
    control: Control | None = request.app.state.control
    if control is None:
        raise ControlError("the control plane isn't started in this process")
    return control
