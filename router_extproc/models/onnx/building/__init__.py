"""Building ONNX models from weights: offline, by `router-extproc models build`."""
