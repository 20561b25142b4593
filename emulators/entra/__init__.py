"""An emulator of Microsoft Entra ID: tokens, interactive sign-in and app registrations."""
