"""What each address answers: load through access, call one use case, enqueue, render."""
