"""Is the ward office's vocabulary sound?"""
