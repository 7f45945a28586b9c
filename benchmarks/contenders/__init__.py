"""Who is compared, each in a module of its own: how it is set up and how it runs. ``base`` says what one is."""
