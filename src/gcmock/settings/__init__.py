"""Settings: one base for validation, explanation and TOML; the sections of every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcmock.door import attach

if TYPE_CHECKING:
    from gcmock.settings.build import Config as Config
    from gcmock.settings.build import default_config_toml as default_config_toml
    from gcmock.settings.build import load_config as load_config
    from gcmock.settings.merge import MergeConfig as MergeConfig
    from gcmock.settings.merge import default_merge_toml as default_merge_toml
    from gcmock.settings.merge import load_merge_config as load_merge_config

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "build": ["Config", "default_config_toml", "load_config"],
        "merge": ["MergeConfig", "default_merge_toml", "load_merge_config"],
    },
)
