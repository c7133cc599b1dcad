"""Training models on what became of people who were shown."""

from matching.actions.training.runs import ask_training, bell, train_next
from matching.actions.training.training import train_model

__all__ = ["ask_training", "bell", "train_model", "train_next"]
