"""How well a text about a person answers a text about work, when texts are all that is known of either."""
