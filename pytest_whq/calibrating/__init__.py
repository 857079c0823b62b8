"""What the sensors of this machine can do, learned by watching them."""
