"""From watt-hours to grams of CO2 equivalents and money: pure, by tables that name their year and source."""
