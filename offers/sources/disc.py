"""A disc on the sphere, as indexes are asked for it."""

from dataclasses import dataclass
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

    @property
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

    def half_width(self, south: float, north: float) -> float:
        """Degrees of longitude, each side of the centre, that the disc reaches between two latitudes; 180 at a pole."""
        angle = self.radius_km / EARTH_RADIUS_KM
        centre = radians(self.latitude)
        if abs(centre) + angle >= pi / 2:
            return 180.0
        # The disc is widest at the latitude where its edge runs north–south; elsewhere its edge bounds it.
        widest = asin(sin(centre) / cos(angle))
        low, high = max(radians(south), centre - angle), min(radians(north), centre + angle)
        if low > high:
            return 0.0
        latitude = min(max(widest, low), high)
        haversine = sin(angle / 2) ** 2 - sin((latitude - centre) / 2) ** 2
        inner = max(haversine, 0.0) / (cos(centre) * cos(latitude))
        return degrees(2 * asin(min(1.0, sqrt(inner))))

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
