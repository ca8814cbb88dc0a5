"""The cache's part of the pipeline: the stage, what is learned from answers, and warming."""
