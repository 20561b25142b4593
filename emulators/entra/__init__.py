"""An emulator of Microsoft Entra ID: tokens, consent and app registrations."""
