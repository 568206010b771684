"""The schema of a user, which more than one namespace speaks."""

from flask_restx import Model, fields

from api.fields import Moment, Object, Text
from models import Role, Status

user = Model(
    "User",
    {
        "id": Text(
            required=True,
            description="Time-ordered UUID; never changes",
            example="01a1fb07-5f9c-7229-8e0e-c7853035f505",
        ),
        "username": Text(required=True, example="john"),
        "email": Text(required=True, example="john@example.com"),
        "email_verified": fields.Boolean(required=True),
        "full_name": Text(required=True, nullable=True, example="John Doe"),
        "status": Text(required=True, enum=[status.value for status in Status]),
        "roles": fields.List(Text(enum=[role.value for role in Role]), required=True),
        "metadata": Object(required=True, description="A JSON object of the client's own"),
        "created_at": Moment(required=True),
        "updated_at": Moment(required=True, description="The last change; not the last sign-in"),
        "last_login_at": Moment(required=True, nullable=True),
    },
)
