"""What requests may carry and what answers hold, by subject; the OpenAPI document is made of these."""
