UPDATE probe SET number = (number + 1) % 1000000000
