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


SINC_LIGHT = Theme(
    name="sinc-light",
    primary="#1f6f80",
    secondary="#56687a",
    accent="#96690f",
    success="#2f7a3c",
    warning="#96690f",
    error="#b3323c",
    foreground="#1d242c",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#eeece6",
    dark=False,
    variables={
        "footer-background": "#fbfaf7",
        "footer-key-foreground": "#1f6f80",
        "footer-description-foreground": "#5d6974",
        "footer-description-background": "#fbfaf7",
        "footer-item-background": "#fbfaf7",
        "footer-key-background": "#fbfaf7",
        "input-selection-background": "#1f6f80 25%",
        "scrollbar": "#cfcbc1",
        "scrollbar-hover": "#b9b4a8",
        "scrollbar-active": "#1f6f80",
        "scrollbar-background": "#eeece6",
        "scrollbar-background-hover": "#eeece6",
        "scrollbar-background-active": "#eeece6",
        "border-blurred": "#cfcbc1",
        "border": "#1f6f80",
    },
)

_INK, _PAPER, _GREY = "#e6e6e6", "#000000", "#8a8a8a"

SINC_PLAIN = Theme(
    name="sinc-plain",
    primary=_INK,
    secondary=_INK,
    accent=_INK,
    success=_INK,
    warning=_INK,
    error=_INK,
    foreground=_INK,
    background=_PAPER,
    surface="#0c0c0c",
    panel="#121212",
    dark=True,
    variables={
        "footer-background": _PAPER,
        "footer-key-foreground": _INK,
        "footer-description-foreground": _GREY,
        "footer-description-background": _PAPER,
        "footer-item-background": _PAPER,
        "footer-key-background": _PAPER,
        "scrollbar": "#3a3a3a",
        "scrollbar-background": "#121212",
        "border-blurred": "#3a3a3a",
        "border": _INK,
    },
)
"""No colour: all that matters is said by words, marks and weight."""

THEMES = (SINC, SINC_LIGHT, SINC_PLAIN)
