"""Tables of ratings as people have them, understood without questions."""
