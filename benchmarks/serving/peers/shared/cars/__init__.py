"""What Python peers share: a car as pydantic or msgspec check it, and the model as ONNX Runtime runs it."""
