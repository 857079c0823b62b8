"""What a token can take at most, if nobody sells below the price of electricity."""

from dataclasses import dataclass

from pytest_whq.errors import SettingError
from pytest_whq.footprint.footprint import overhead_of, standing
from pytest_whq.footprint.place import price_of
from pytest_whq.model import Measurement
from pytest_whq.model.place import Place, Price
from pytest_whq.units import joules


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a token is sold for; ``currency`` is an ISO 4217 code."""

    per_token: float
    currency: str
    year: int | None
    source: str


def read_token_price(text: str, where: str) -> TokenPrice:
    """The price of a token from ``0.20 USD/Mtok``."""
    return TokenPrice(*price_of("token", text, where))


@dataclass(frozen=True, slots=True)
class Bound:
    """Prices of tokens and of electricity, in one currency, and what energy they leave room for.

    ``output`` is the price of an output token, and of any token where ``input`` is None. The bound holds
    for all energy that the seller buys, the data centre's overhead included.
    """

    output: TokenPrice
    electricity: Price
    input: TokenPrice | None = None

    def __post_init__(self) -> None:
        """Refuse prices in several currencies: SettingError."""
        prices = (self.output, self.input, self.electricity)
        currencies = dict.fromkeys(price.currency for price in prices if price is not None)
        if len(currencies) > 1:
            raise SettingError(
                f"The prices are in {' and '.join(currencies)}: give all of them in one currency, "
                "since no rate is assumed."
            )

    @property
    def j_per_output_token(self) -> float:
        """Joules that the price of an output token buys; where there is one price, of any token."""
        return self._joules(self.output)

    @property
    def j_per_input_token(self) -> float:
        """Joules that the price of an input token buys."""
        return self._joules(self.input or self.output)

    def _joules(self, price: TokenPrice) -> float:
        return joules(price.per_token / self.electricity.per_kwh)

    def j_per_token_of(self, measurement: Measurement) -> float | None:
        """Joules that a token's price buys in the mix of ``measurement``; None where that is not known."""
        if self.input is None:
            return self.j_per_output_token
        inputs, outputs = _tokens(measurement)
        if inputs is None or outputs is None or not inputs + outputs:
            return None
        bought_j = inputs * self.j_per_input_token + outputs * self.j_per_output_token
        return bought_j / (inputs + outputs)

    def share_of(self, measurement: Measurement, place: Place | None) -> float | None:
        """Measured energy per token over what its price buys; None where either is not known."""
        used_j, bought_j = standing(measurement, "j_per_token"), self.j_per_token_of(measurement)
        return (
            None
            if used_j is None or bought_j is None
            else used_j * overhead_of(measurement, place) / bought_j
        )


def _tokens(measurement: Measurement) -> tuple[float | None, float | None]:
    """Input and output tokens, of an imported result that counts none those of one query."""
    counted, imported = measurement.tokens, measurement.imported
    if counted.input_tokens is None and counted.output_tokens is None and imported is not None:
        return imported.setup.input_length, imported.setup.output_length
    return counted.input_tokens, counted.output_tokens
