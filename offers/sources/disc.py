"""A disc on the sphere, as indexes are asked for it."""

from dataclasses import dataclass
from functools import cached_property
from math import asin, ceil, cos, degrees, floor, pi, radians, sin, sqrt

from companies.models import SearchEdition

EARTH_RADIUS_KM = 6371.0088


def kilometres(chord2: float) -> float:
    """The distance along the sphere of two points whose squared chord on the unit sphere is ``chord2``."""
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord2) / 2))


@dataclass(frozen=True)
class Disc:
    """A disc on the sphere, as the two indexes are asked for it."""

    latitude: float
    longitude: float
    radius_km: float

    @cached_property
    def point(self) -> tuple[float, float, float]:
        latitude, longitude = radians(self.latitude), radians(self.longitude)
        return cos(latitude) * cos(longitude), cos(latitude) * sin(longitude), sin(latitude)

    @property
    def chord(self) -> float:
        """The straight line through the unit sphere that spans the radius."""
        return 2 * sin(self.radius_km / EARTH_RADIUS_KM / 2)

    def chord2_to(self, latitude: float, longitude: float) -> float:
        """The square of the chord from the centre to a point."""
        there = Disc(latitude, longitude, 0).point
        return sum((a - b) ** 2 for a, b in zip(there, self.point, strict=True))

    @cached_property
    def _edge(self) -> tuple[float, float, float, float, float]:
        """What the edge's longitudes are computed from, in radians: the centre's latitude, its cosine, the angle of the
        radius, the square of the sine of half of it, and the latitude where the disc is widest (its edge runs
        north–south there).
        """
        centre, angle = radians(self.latitude), self.radius_km / EARTH_RADIUS_KM
        return centre, cos(centre), angle, sin(angle / 2) ** 2, asin(max(-1.0, min(1.0, sin(centre) / cos(angle))))

    def half_width(self, south: float, north: float) -> float:
        """Degrees of longitude, each side of the centre, that the disc reaches between two latitudes; 180 at a pole."""
        centre, cosine, angle, haversine, widest = self._edge
        if abs(centre) + angle >= pi / 2:
            return 180.0
        # Elsewhere than at the widest latitude, the edge bounds it.
        low, high = max(radians(south), centre - angle), min(radians(north), centre + angle)
        if low > high:
            return 0.0
        latitude = min(max(widest, low), high)
        inner = (haversine - sin((latitude - centre) / 2) ** 2) / (cosine * cos(latitude))
        return degrees(2 * asin(sqrt(min(1.0, inner)))) if inner > 0 else 0.0

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """South, north, west and east of the disc, a hair more; all longitudes where it reaches the antimeridian."""
        reach = degrees(self.radius_km / EARTH_RADIUS_KM) + 1e-6
        south, north = self.latitude - reach, self.latitude + reach
        half = self.half_width(south, north) + 1e-6
        west, east = self.longitude - half, self.longitude + half
        return (south, north, west, east) if west >= -180 and east <= 180 else (south, north, -180.0, 180.0)

    @property
    def number_of_bands(self) -> int:
        """How many bands of latitude the disc reaches."""
        return ceil(2 * degrees(self.radius_km / EARTH_RADIUS_KM) / SearchEdition.LAT_BAND) + 1

    def bands(self) -> list[tuple[int, float, float]]:
        """``(lat_band, west, east)`` ranges that cover the disc, cut at the antimeridian."""
        step = SearchEdition.LAT_BAND
        reach = degrees(self.radius_km / EARTH_RADIUS_KM)
        ranges = []
        for band in range(floor((self.latitude - reach) / step), floor((self.latitude + reach) / step) + 1):
            # A hair more than needed: the exact test on the chord follows.
            half = self.half_width(band * step - 1e-6, (band + 1) * step + 1e-6) + 1e-5
            west, east = self.longitude - half, self.longitude + half
            if half >= 180:
                ranges.append((band, -180.0, 180.0))
            elif west < -180:
                ranges += [(band, -180.0, east), (band, west + 360, 180.0)]
            elif east > 180:
                ranges += [(band, west, 180.0), (band, -180.0, east - 360)]
            else:
                ranges.append((band, west, east))
        return ranges
