"""How the tables came to be, step by step. A step only adds: what nobody uses any more goes one release later."""
