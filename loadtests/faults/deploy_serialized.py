"""A node is deployed with another serializer for carts."""

from loadtests.faults.bases import Deploys


class DeploySerialized(Deploys):
    kind = "deploy-serialized"
    colour = "#2f7f93"
    doing = "Deploying another serializer for carts to"
    done = "deployed with another serializer for carts"
    sentence = "A node is restarted with a version of the shop that keeps a session's cart as a JSON text."
    version = "serialized"
    cart = "text"
