"""How a test send is requested: the rules that accept it, the cooldown, planned tests, and the row."""
