"""What the instance admin sees: the installation, its workspaces and its accounts."""
