"""Single sign-on: signs people in with their account at a provider of OpenID Connect."""
