"""The one extension object; its tables are the modules beside this one."""

from flask_pynamodb import PynamoDB

db = PynamoDB()
