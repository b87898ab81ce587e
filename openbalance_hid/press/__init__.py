"""What the finger meant: presses in, gestures and actions out. Pure; time is an argument."""
