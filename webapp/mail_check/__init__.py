"""What the DNS says about mail of this installation: the sender's SPF and DMARC, and where recipients' mail goes."""
