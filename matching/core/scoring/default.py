"""The model to begin with, for a market that has seen no outcomes yet."""

from __future__ import annotations

from matching.core.scoring.linear import LinearModel

# Set by hand, before any outcomes were seen: skills, titles and what was finished carry fit; pay, hours and commitment
# carry interest; how they answered before tells on acceptance. Centred so that a stranger of whom nothing is known
# scores as with the first version, below even odds, and somebody who has everything well above.
DEFAULT_MODEL = LinearModel.from_json(
    {
        "version": "linear-2",
        "heads": {
            "fit": {
                "intercept": -7_010_000,
                "weights": {
                    "required_skills": 4500,
                    "preferred_skills": 1200,
                    "near_skills": 1000,
                    "experience": 1300,
                    "title_affinity": 900,
                    "text_affinity": 700,
                    "hours_fit": 500,
                    "availability_fit": 500,
                    "location_fit": 500,
                    "timezone_fit": 300,
                    "completion_rate": 600,
                    "past_work": 600,
                },
            },
            "interest": {
                "intercept": -4_750_000,
                "weights": {
                    "pay_fit": 2300,
                    "commitment_fit": 1400,
                    "hours_fit": 900,
                    "location_fit": 1000,
                    "timezone_fit": 500,
                    "required_skills": 600,
                    "title_affinity": 900,
                    "text_affinity": 300,
                    "past_work": 500,
                    "activity": 600,
                },
            },
            "acceptance": {
                "intercept": -5_090_000,
                "weights": {
                    "pay_fit": 2200,
                    "commitment_fit": 900,
                    "availability_fit": 900,
                    "hours_fit": 900,
                    "location_fit": 700,
                    "timezone_fit": 200,
                    "response_rate": 900,
                    "acceptance_rate": 1200,
                    "past_work": 500,
                    "activity": 800,
                },
            },
        },
    }
)
