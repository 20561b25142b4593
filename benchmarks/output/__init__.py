"""What a run leaves: the report as JSON, the table of the terminal, the page of the docs, and the chart."""
