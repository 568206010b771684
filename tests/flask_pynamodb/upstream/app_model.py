"""The base class of the models in PynamoDB's own tests: that of an extension."""

from flask import Flask

from flask_pynamodb import PynamoDB

_app = Flask("upstream")
_app.config["DYNAMODB_ALLOW_SCAN"] = True
Model = PynamoDB(_app).Model
