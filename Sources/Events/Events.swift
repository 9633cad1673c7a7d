// Event values and their wire forms.
