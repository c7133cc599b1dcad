"""The first model, for a market that has seen no outcomes yet."""

from __future__ import annotations

from matching.core.scoring.linear import LinearModel

# Set by hand, before any outcomes were seen: skills carry fit; pay, hours and commitment carry interest. Centred so
# that a neutral stranger scores well below even odds and somebody who has everything well above.
DEFAULT_MODEL = LinearModel.from_json(
    {
        "version": "linear-1",
        "heads": {
            "fit": {
                "intercept": -5_500_000,
                "weights": {
                    "required_skills": 5000,
                    "preferred_skills": 1500,
                    "experience": 1500,
                    "hours_fit": 600,
                    "availability_fit": 600,
                    "location_fit": 500,
                    "timezone_fit": 300,
                },
            },
            "interest": {
                "intercept": -4_000_000,
                "weights": {
                    "pay_fit": 2500,
                    "commitment_fit": 1500,
                    "hours_fit": 1000,
                    "location_fit": 1000,
                    "timezone_fit": 500,
                    "required_skills": 1000,
                },
            },
            "acceptance": {
                "intercept": -3_500_000,
                "weights": {
                    "pay_fit": 2500,
                    "commitment_fit": 1000,
                    "availability_fit": 1000,
                    "hours_fit": 1000,
                    "location_fit": 800,
                    "timezone_fit": 200,
                },
            },
        },
    }
)
