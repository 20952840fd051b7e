"""The look of the app: deep ink, one calm accent, amber only for the band that leads."""

from __future__ import annotations

from textual.theme import Theme

MUTED = "$foreground 60%"
"""Style of what is said in passing."""

FAINT = "$foreground 35%"
"""Style of what is not there yet."""

SINC = Theme(
    name="sinc",
    primary="#6cb6c4",
    secondary="#8296ab",
    accent="#e3b565",
    success="#86bf8a",
    warning="#e3b565",
    error="#e5787f",
    foreground="#d5dce4",
    background="#0e1217",
    surface="#141a21",
    panel="#171e26",
    dark=True,
    variables={
        "footer-background": "#0e1217",
        "footer-key-foreground": "#6cb6c4",
        "footer-description-foreground": "#8b98a6",
        "footer-description-background": "#0e1217",
        "footer-item-background": "#0e1217",
        "footer-key-background": "#0e1217",
        "input-selection-background": "#6cb6c4 30%",
        "scrollbar": "#2c3742",
        "scrollbar-hover": "#3d4b59",
        "scrollbar-active": "#6cb6c4",
        "scrollbar-background": "#171e26",
        "scrollbar-background-hover": "#171e26",
        "scrollbar-background-active": "#171e26",
        "border-blurred": "#2c3742",
        "border": "#6cb6c4",
    },
)
