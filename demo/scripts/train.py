"""Teach a small network to read handwritten digits, and log how it goes to MLflow."""

import argparse
import csv
import tempfile
from pathlib import Path

import mlflow
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

DIGITS = list(range(10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--epochs", type=int, default=30)
    given = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        images / 16, labels, test_size=0.25, random_state=7, stratify=labels
    )
    model = MLPClassifier(
        hidden_layer_sizes=(256, 128),
        solver="sgd",
        batch_size=16,
        learning_rate_init=given.lr,
        random_state=7,
    )
    mlflow.set_experiment("handwritten digits")
    with mlflow.start_run():
        mlflow.log_params({"lr": given.lr, "epochs": given.epochs})
        for epoch in range(1, given.epochs + 1):
            model.partial_fit(train_x, train_y, classes=DIGITS)
            accuracy = model.score(test_x, test_y)
            mlflow.log_metrics({"loss": model.loss_, "accuracy": accuracy}, step=epoch)
            print(f"epoch {epoch:3d}  loss {model.loss_:.4f}  accuracy {accuracy:.3f}")
        evaluate(test_y, model.predict(test_x))


def evaluate(truth, guesses) -> None:
    """Record the judgement of the finished model in a run of its own."""
    with mlflow.start_run(run_name="evaluation", nested=True):
        mlflow.log_metrics(
            {
                "test_f1": f1_score(truth, guesses, average="macro"),
                "test_errors": float((truth != guesses).sum()),
            }
        )
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "confusion.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows(confusion_matrix(truth, guesses, labels=DIGITS))
        mlflow.log_artifact(str(table))


if __name__ == "__main__":
    main()
