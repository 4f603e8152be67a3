"""The whole model in one object: Galaxy, populations, extinction and the Hw relation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.counts import MAG_EDGES, CountTables, expected_counts
from gcmock.dust.calibrated import CalibratedReddening, load_calibration
from gcmock.dust.extinction_map import ExtinctionMap
from gcmock.dust.laws import ExtinctionLaw, load_law
from gcmock.dust.profile import signed_longitude
from gcmock.errors import InputError
from gcmock.galaxy.component import Component
from gcmock.galaxy.galactic_model import GalacticModel, Observables, load_galactic_model
from gcmock.galaxy.sun import load_sun
from gcmock.notebook import html_table
from gcmock.posterior.engine import Posterior
from gcmock.posterior.grid import DistanceGrid, distance_grid
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.sightline import SightlineCache
from gcmock.settings.build import Config, load_config
from gcmock.stars.bands import HwRelation, load_hw_relation
from gcmock.stars.populations import PopulationSet, load_populations


@dataclass(frozen=True, repr=False)
class Model:
    """A Galactic model with everything needed to predict and to interpret near-infrared stars.

    Attributes
    ----------
    config : Config
        All settings.
    galaxy : GalacticModel
        Densities and velocities of the components.
    populations : PopulationSet
        Ages, metallicities and magnitudes.
    law : ExtinctionLaw
        Extinction law.
    extinction_map : ExtinctionMap
        E(J-Ks) at the red-clump distance.
    hw : HwRelation
        Relation of Hw to J and H.
    calibration : CalibratedReddening or None
        What stars say about the reddening, if ``[extinction] calibration`` names a file.
    """

    config: Config
    galaxy: GalacticModel
    populations: PopulationSet
    law: ExtinctionLaw
    extinction_map: ExtinctionMap
    hw: HwRelation
    calibration: CalibratedReddening | None = None

    def _words(self) -> dict[str, str]:
        """Return what the model is made of, in words."""
        settings = self.config.model
        return {
            "model": f"{settings.preset}, bar {settings.bar}, disc {settings.disc}, inner disc "
            f"{settings.inner_disc}",
            "components": ", ".join(self.components),
            "Sun": f"{self.galaxy.sun.r0_pc:g} pc from Sgr A*, {self.galaxy.sun.z_sun_pc:g} pc "
            "above the plane",
            "populations": self.config.populations.name,
            "extinction": f"{self.law.name}, map value {self.config.extinction.map_value}",
            "Hw": self.hw.name,
        }

    def __repr__(self) -> str:
        """Say in a line what the model is made of."""
        words = self._words()
        shown = ("model", "populations", "extinction", "Hw")
        return f"Model({'; '.join(f'{name}: {words[name]}' for name in shown)})"

    def _repr_html_(self) -> str:
        return html_table("Model of gcmock", self._words().items())

    @property
    def components(self) -> dict[str, Component]:
        """The eleven components by name, in their fixed order."""
        return dict(self.galaxy.components)

    @cached_property
    def grid(self) -> DistanceGrid:
        """Distance bins of posteriors and counts."""
        distance = self.config.distance
        return distance_grid(distance.min_pc, distance.max_pc, self.galaxy.sun.r0_pc)

    @cached_property
    def sightlines(self) -> SightlineCache:
        """Priors along lines of sight, computed on demand."""
        height = self.config.extinction.dust_scale_height_pc
        weights = None if self.calibration is None else self.component_weights
        return SightlineCache(self.galaxy, self.grid, height, component_weights=weights)

    @cached_property
    def posterior(self) -> Posterior:
        """The inference under this model."""
        return Posterior(
            self.sightlines,
            self.grid,
            self.populations,
            self.law,
            {"hw": self.hw},
            self.config.photometry.error_floor_mag,
            self.motion,
        )

    @property
    def motion(self) -> MotionModel:
        """What is allowed for errors of measured motions."""
        settings = self.config.motion
        return MotionModel(settings.floor_masyr, settings.floor_kms, settings.outlier_share)

    def reddening(self, l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Mean and standard deviation of E(J-Ks) at the red-clump distance.

        The value of the map that ``[extinction] map_value`` names, and its scatter together with
        ``residual_scatter_mag``; or what a calibration makes of it, which has a scatter of its own.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (n_star,)
            Positions [deg].

        Returns
        -------
        e_jks, tau : ndarray, shape (n_star,)
            [mag]; NaN outside the map.
        """
        extinction = self.config.extinction
        e_jks, scatter = self.extinction_map.value(l_deg, b_deg, extinction.map_value)
        if self.calibration is not None:
            lon, lat = np.broadcast_arrays(signed_longitude(l_deg), np.asarray(b_deg, float))
            return self.calibration.apply(self.extinction_map, lon, lat, e_jks, scatter)
        return e_jks, np.hypot(scatter, extinction.residual_scatter_mag)

    def component_weights(self, l_deg: ArrayLike, b_deg: ArrayLike) -> Floats:
        """Factors on the numbers of stars, shape (n, n_component): 1 without a calibration."""
        if self.calibration is None:
            return np.ones((np.size(l_deg), len(self.components)))
        return self.calibration.component_weights(self.extinction_map, l_deg, b_deg)

    @cached_property
    def count_tables(self) -> CountTables:
        """Cumulative counts of the populations, built on demand."""
        return CountTables(self.populations, self.law, self.hw)

    def expected_counts(
        self,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        band: str = "ks",
        mag_edges: ArrayLike = MAG_EDGES,
        area_deg2: float = 1.0,
        *,
        e_jks: ArrayLike | None = None,
        tau: ArrayLike | None = None,
        subcells: bool = False,
    ) -> Floats:
        """Count the stars expected in magnitude bins, shape (n_sightline, n_component, n_bin).

        See `gcmock.counts.expected_counts`.
        """
        return expected_counts(
            self, l_deg, b_deg, band, mag_edges, area_deg2, e_jks=e_jks, tau=tau, subcells=subcells
        )

    def number_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Living stars per cubic parsec, shape (..., n_component); see `GalacticModel`."""
        return self.galaxy.number_density(l_deg, b_deg, distance_pc)

    def mass_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Stars and remnants [Msun pc-3], shape (..., n_component); see `GalacticModel`."""
        return self.galaxy.mass_density(l_deg, b_deg, distance_pc)

    def sample_observables(
        self,
        component: str | int | ArrayLike,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        distance_pc: ArrayLike,
        rng: np.random.Generator,
    ) -> Observables:
        """Velocities and what is seen of them, drawn at positions; see `GalacticModel`."""
        return self.galaxy.sample_observables(component, l_deg, b_deg, distance_pc, rng)


def load_model(
    preset: str | None = None, *, config: Config | None = None, **overrides: Any
) -> Model:
    """Load a model.

    Parameters
    ----------
    preset : str, optional
        Named Galactic model; ``"koshimoto2021"`` is the default.
    config : Config, optional
        Settings; the defaults if not given.
    **overrides
        Keys of the ``[model]`` section, for example ``bar="G"`` or ``r0_pc=8178``.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If a setting is unknown or out of range.

    Examples
    --------
    >>> model = load_model(bar="G+G_X")
    >>> model.number_density(0.0, -0.2, 8160.0).shape
    (11,)
    """
    if preset is not None:
        overrides["preset"] = preset
    settings = config or load_config()
    if overrides:
        changed = {f"model.{key}": value for key, value in overrides.items()}
        settings = load_config(None, {**settings.model_dump(), **changed})
    galaxy = _load_galaxy(settings)
    calibration = _load_calibration(settings)
    return Model(
        settings,
        galaxy,
        load_populations(settings.populations.name, galaxy.imf),
        load_law(settings.extinction.law) if calibration is None else calibration.law,
        ExtinctionMap.load(),
        load_hw_relation(settings.photometry.hw_relation),
        calibration,
    )


def _load_calibration(config: Config) -> CalibratedReddening | None:
    """Load the calibration of ``[extinction]``, which must fit the other settings.

    Raises
    ------
    InputError
        If the file is no calibration, or was made for another value of the map.
    """
    settings = config.extinction
    if not settings.calibration:
        return None
    calibration = load_calibration(settings.calibration)
    if calibration.map_value != settings.map_value:
        raise InputError(
            f"{settings.calibration}: holds factors on the {calibration.map_value!r} of the map, "
            f"but [extinction] map_value = {settings.map_value!r}: set it to "
            f"{calibration.map_value!r}, or calibrate again with these settings"
        )
    return calibration


def _load_galaxy(config: Config) -> GalacticModel:
    """Galactic model of the ``[model]`` section."""
    settings = config.model.model_dump()
    sun = replace(
        load_sun(settings["preset"]),
        r0_pc=settings.pop("r0_pc"),
        z_sun_pc=settings.pop("z_sun_pc"),
        velocity=settings.pop("sun_velocity_kms"),
    )
    return load_galactic_model(**settings, sun=sun)
