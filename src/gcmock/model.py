"""The whole model in one object: Galaxy, populations, extinction, relations of bands."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gcmock.arrays import Floats
from gcmock.counts import MAG_EDGES, CountTables, expected_counts
from gcmock.dust.extinction_map import ExtinctionMap, MapValue
from gcmock.dust.laws import ExtinctionLaw, load_law
from gcmock.dust.profile import signed_longitude
from gcmock.errors import ModelWarning
from gcmock.galaxy.component import Component
from gcmock.galaxy.galactic_model import GalacticModel, Observables, load_galactic_model
from gcmock.galaxy.sun import load_sun
from gcmock.learned import USUAL_WEIGHTS, Learned, load_learned
from gcmock.notebook import html_table
from gcmock.posterior.engine import Posterior
from gcmock.posterior.grid import DistanceGrid, distance_grid
from gcmock.posterior.kernel.structures import MotionModel
from gcmock.posterior.sightline import SightlineCache
from gcmock.settings.build import Config, load_config
from gcmock.stars.bands import Relations, load_relations
from gcmock.stars.populations import PopulationSet, load_populations
from gcmock.units import to_value
from gcmock.words.bands import band
from gcmock.words.limits import Limit

__all__ = ["Model", "load_model"]


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
    relations : mapping of str to SyntheticRelation
        How every synthetic band follows from J and H, by its name: ``model.relations["hw"]``.
    learned : Learned or None
        What stars of a list say about it, if ``[learn] file`` names what was learned.
    """

    config: Config
    galaxy: GalacticModel
    populations: PopulationSet
    law: ExtinctionLaw
    extinction_map: ExtinctionMap
    relations: Relations
    learned: Learned | None = None

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
            "extinction": f"{self.law.name}, map value {self.map_value}",
            **{band(name).label: relation.name for name, relation in self.relations.items()},
            **({"remarks": "; ".join(self.galaxy.remarks)} if self.galaxy.remarks else {}),
        }

    def __repr__(self) -> str:
        """Say in a line what the model is made of."""
        words = self._words()
        shown = ["model", "populations", "extinction"]
        shown += [band(name).label for name in self.relations]
        return f"Model({'; '.join(f'{name}: {words[name]}' for name in shown)})"

    def _repr_html_(self) -> str:
        return html_table("Model of gcmock", self._words().items())

    @property
    def components(self) -> dict[str, Component]:
        """The components by name, in their fixed order."""
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
        weights = self.part_weights if self.learned else None
        return SightlineCache(self.galaxy, self.grid, height, part_weights=weights)

    @cached_property
    def posterior(self) -> Posterior:
        """The inference under this model."""
        return Posterior(
            self.sightlines, self.grid, self.populations, self.law, self.relations,
            self.config.photometry.error_floor_mag, self.motion, self.limits,
            self.profile_scatter,
        )  # fmt: skip

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What the list of stars was cut at: as it is said, and as was found."""
        found = self.learned.limits if self.learned else ()
        return (*self.config.selection.parsed, *found)

    @property
    def profile_scatter(self) -> float:
        """How far the dust in front is from the smooth layer, as a fraction."""
        if self.learned is not None:
            return self.learned.profile_scatter
        return self.config.extinction.profile_scatter

    @property
    def motion(self) -> MotionModel:
        """What is allowed for errors of measured motions."""
        own = self.config.motion
        return MotionModel(own.floor_masyr, own.floor_kms, own.outlier_fraction)

    @property
    def map_value(self) -> MapValue:
        """Value of the map that holds: what the stars follow, if that was learned."""
        return (self.learned or self.config.extinction).map_value

    def with_learned(self, learned: Learned) -> Model:
        """Return the model with what was learned of a list."""
        found = replace(self, learned=learned, law=learned.law)
        mine = self.learned.weights if self.learned else USUAL_WEIGHTS
        # Lines of sight depend on nothing else that is learned.
        if np.array_equal(mine, learned.weights):
            found.__dict__["sightlines"] = self.sightlines
        return found

    def reddening(self, l_deg: ArrayLike, b_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Mean and scatter of E(J-Ks) at the red-clump distance, of the map or as learned.

        Parameters
        ----------
        l_deg, b_deg : array_like or Quantity, shape (n_star,)
            Positions [deg].

        Returns
        -------
        e_jks, tau : ndarray, shape (n_star,)
            [mag]; NaN outside the map.
        """
        l_deg, b_deg = to_value(l_deg, "deg"), to_value(b_deg, "deg")
        e_jks, scatter = self.extinction_map.value(l_deg, b_deg, self.map_value)
        if self.learned is not None:
            lon, lat = np.broadcast_arrays(signed_longitude(l_deg), np.asarray(b_deg, float))
            return self.learned.reddening(self.extinction_map, lon, lat, e_jks, scatter)
        return e_jks, np.hypot(scatter, self.config.extinction.residual_scatter_mag)

    def part_weights(self, l_deg: ArrayLike, b_deg: ArrayLike) -> Floats:
        """Return the factors on the numbers of stars that were learned, shape (n_star, n_part).

        Stars of every part of `gcmock.words.components.PARTS` at positions [deg] over those of its
        component in the model. Where nothing was learned: 1, and 0 for what is younger.
        """
        weights = USUAL_WEIGHTS if self.learned is None else self.learned.weights
        n_star = np.broadcast(to_value(l_deg, "deg"), to_value(b_deg, "deg")).size
        return np.tile(weights, (n_star, 1))

    @cached_property
    def count_tables(self) -> CountTables:
        """Cumulative counts of the populations, built on demand."""
        return CountTables(self.populations, self.law, self.relations)

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
        """Count the stars that the model expects in magnitude bins, by component.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (n_sightline,)
            Galactic coordinates [deg]; longitudes of any turn.
        band : {"j", "h", "ks", "hw"}
            Band of the magnitudes.
        mag_edges : array_like, shape (n_bin + 1,)
            Edges of the bins, increasing [mag]; infinite edges are allowed.
        area_deg2 : float
            Solid angle [square degrees].
        e_jks, tau : array_like, shape (n_sightline,), optional
            Mean and standard deviation of E(J-Ks) at the red-clump distance [mag]; `reddening` by
            default.
        subcells : bool
            Average over the 25 sub-cells of the extinction map in the cell of each position, where
            it has them: the counts of the cell instead of those at the position.

        Returns
        -------
        ndarray, shape (n_sightline, n_component, n_bin)
            Stars in `area_deg2`. Stars below the least mass of the isochrones (0.09 Msun) are
            missing.

        Raises
        ------
        InputError
            If the band is unknown, the edges do not increase, or `subcells` comes with `e_jks`.
        OutsideModelError
            If a position lies outside the extinction map.

        Examples
        --------
        >>> model = load_model()
        >>> model.expected_counts([0.3], [-0.2], band="ks", mag_edges=[10, 12, 14]).shape
        (1, 11, 2)
        """
        return expected_counts(
            self, l_deg, b_deg, band, mag_edges, area_deg2, e_jks=e_jks, tau=tau, subcells=subcells
        )

    def number_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Return the number density of living stars of every component along lines of sight.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (...)
            Galactic coordinates [deg].
        distance_pc : array_like, shape (...)
            Distances from the Sun [pc].

        Returns
        -------
        ndarray, shape (..., n_component)
            Stars per cubic parsec [pc-3], components in the order of `components`.

        Examples
        --------
        >>> model = load_model()
        >>> model.number_density(0.0, -0.2, [7000.0, 8160.0]).shape
        (2, 11)
        """
        return self.galaxy.number_density(l_deg, b_deg, distance_pc)

    def mass_density(self, l_deg: ArrayLike, b_deg: ArrayLike, distance_pc: ArrayLike) -> Floats:
        """Return the mass density of the stars and remnants of every component.

        Parameters
        ----------
        l_deg, b_deg : array_like, shape (...)
            Galactic coordinates [deg].
        distance_pc : array_like, shape (...)
            Distances from the Sun [pc].

        Returns
        -------
        ndarray, shape (..., n_component)
            Mass densities [Msun pc-3], components in the order of `components`.
        """
        return self.galaxy.mass_density(l_deg, b_deg, distance_pc)

    def sample_observables(
        self,
        component: str | int | ArrayLike,
        l_deg: ArrayLike,
        b_deg: ArrayLike,
        distance_pc: ArrayLike,
        rng: np.random.Generator,
    ) -> Observables:
        """Draw velocities at positions, and what is measured of them.

        Parameters
        ----------
        component : str, int or array_like, shape (n_star,)
            Name or number of the component, of all stars or of each.
        l_deg, b_deg : array_like, shape (n_star,)
            Galactic coordinates [deg].
        distance_pc : array_like, shape (n_star,)
            Distances from the Sun [pc].
        rng : numpy.random.Generator
            Source of the random numbers.

        Returns
        -------
        Observables
            Galactocentric velocities [km/s], proper motions along l (times cos b) and b [mas/yr],
            radial velocities [km/s].

        Raises
        ------
        InputError
            If there is no such component.
        """
        return self.galaxy.sample_observables(component, l_deg, b_deg, distance_pc, rng)


def load_model(
    preset: str | None = None,
    *,
    config: str | Path | Mapping[str, Any] | Config | None = None,
    **overrides: Any,
) -> Model:
    """Load a model.

    Parameters
    ----------
    preset : str, optional
        Named Galactic model; ``"koshimoto2021"`` is the default.
    config : str, Path, mapping or Config, optional
        TOML file with settings, or its content; the defaults if not given.
    **overrides : object
        Keys of the ``[model]`` section, for example ``bar="G"`` or ``r0_pc=8178``.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If a setting is unknown or out of range.

    Warns
    -----
    ModelWarning
        If something in the model does not fit its variants; see `GalacticModel.remarks`.

    Examples
    --------
    >>> model = load_model(disc="linear")
    >>> model.number_density(0.0, -0.2, 8160.0).shape
    (11,)
    """
    if preset is not None:
        overrides["preset"] = preset
    if isinstance(config, Config):
        settings = config
    elif isinstance(config, Mapping):
        settings = load_config(None, config)
    else:
        settings = load_config(config)
    if overrides:
        changed = {f"model.{key}": value for key, value in overrides.items()}
        settings = load_config(None, {**settings.model_dump(), **changed})
    galaxy = _load_galaxy(settings)
    if parent_process() is None:
        # Worker processes would only repeat it.
        for remark in galaxy.remarks:
            warnings.warn(remark, ModelWarning, stacklevel=2)
    learned = load_learned(settings.learn.file) if settings.learn.file else None
    return Model(
        settings,
        galaxy,
        load_populations(settings.populations.name, galaxy.imf),
        load_law(settings.extinction.law) if learned is None else learned.law,
        ExtinctionMap.load(),
        load_relations(settings.photometry.hw_relation),
        learned,
    )


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
