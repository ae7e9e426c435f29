"""The shop: everything the twins have in common. `shared.shop.app.create_shop` puts it together.

This file imports nothing, so that the harness can read the catalogue or the database without loading Flask.
"""
