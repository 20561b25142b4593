"""What the connector remembers: links, pointers, the due list, sides, cursors."""
