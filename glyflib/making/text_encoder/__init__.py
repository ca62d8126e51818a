"""How the text encoder of data/text_encoder was made."""
