"""The checkout of this shop: oscar's, and gift cards that pay."""
